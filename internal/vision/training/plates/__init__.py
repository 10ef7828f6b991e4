"""Training of the plate detector and the plate reader."""
