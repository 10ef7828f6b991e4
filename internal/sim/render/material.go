package render

// Material is something that attenuates X-rays.
type Material struct {
	Name    string
	Density float64 // g/cm3
	High    float64 // mass attenuation at the high-energy view's mean, cm2/g
	Low     float64 // the same for the low-energy view
}

// The beam is a 6 MV linear accelerator's (the low view 3.5 MV). Each is
// stood for by one photon energy, 2 MeV and 1.25 MeV; the coefficients are
// NIST's mass attenuation coefficients at these (XCOM / NISTIR 5632), rounded
// to three digits. A real beam hardens; that is not simulated.
func steel() Material     { return Material{"steel", 7.87, 0.0427, 0.0535} }
func aluminium() Material { return Material{"aluminium", 2.70, 0.0432, 0.0550} }
func lead() Material      { return Material{"lead", 11.35, 0.0461, 0.0588} }
func water() Material     { return Material{"water", 1.00, 0.0494, 0.0632} }
func rubber() Material    { return Material{"rubber", 1.10, 0.0490, 0.0625} }
func wood() Material      { return Material{"wood", 0.55, 0.0478, 0.0612} }
func glass() Material     { return Material{"glass", 2.50, 0.0441, 0.0560} }

// packed is goods of mostly light elements, with the air between them.
func packed(density float64) Material { return Material{"goods", density, 0.0485, 0.0620} }

// Mu is the linear attenuation coefficient, 1/cm.
func (m Material) Mu(low bool) float64 {
	if low {
		return m.Density * m.Low
	}
	return m.Density * m.High
}

// Materials are the simulated ones by name, for checks.
func Materials() map[string]Material {
	all := map[string]Material{}
	for _, m := range []Material{steel(), aluminium(), lead(), water(), rubber(), wood(), glass()} {
		all[m.Name] = m
	}
	return all
}
