"""Network architectures with their frozen configs. Torch only: no files, devices, joint names or training."""
