"""The program: command line, Python API, video in and out, the pipeline, rendering and export."""
