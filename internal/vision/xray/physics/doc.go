// Package physics turns levels of a scanner into what the beam went through:
// transmission, log attenuation and, with two energies, material, mass and what
// could not be inspected. It knows a scanner by its calibration only.
package physics
