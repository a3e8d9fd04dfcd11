"""Detectron2's Keypoint R-CNN, for hosts with a GPU."""
