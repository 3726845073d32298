"""RTCM 10403.x: frames, messages and MSM, decoded to arrays and encoded from them. Sans-I/O."""
