"""Live analysis: a camera, or a file played in real time, is followed frame by frame.

    source ─▶ newest frame ─▶ detector ─▶ tracker ─▶ causal lifters ─▶ classifier ─▶ window, lines, recording

A second thread reads the source and keeps its newest frame only: frames that come while one is analysed are dropped.
"""
