"""Corrections as RTCM values, ready for cors.rtcm to encode."""
