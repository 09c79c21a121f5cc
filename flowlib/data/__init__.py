"""Data of the chapters: densities on the plane, test potentials, the optical digits."""
