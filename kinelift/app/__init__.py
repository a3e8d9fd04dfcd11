"""The application: command line, video input and output, pipeline, rendering and export."""
