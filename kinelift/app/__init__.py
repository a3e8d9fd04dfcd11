"""The program: commands, video in and out, the pipeline, rendering and export."""
