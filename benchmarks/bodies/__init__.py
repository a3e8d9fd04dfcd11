"""3D bodies against calibrated cameras and exact bodies."""
