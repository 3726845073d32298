"""One station's stream judged alone: cycle slips, gross errors, clock jumps, frozen streams, multipath.

`tracker` holds a station's state, `judgement` says what comes out, `limits` what decides, `statistics` what is counted;
the work is done in three files of kernels over the arrays that `columns` describes.
"""
