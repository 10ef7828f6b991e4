package plate

// Decode opens the search for texts to the tests: the likeliest text, and the
// allowed ones with their probabilities.
func Decode(slots [][]float32, alphabet []string, fit func(string) float64) (raw string, forms []string, p []float64) {
	d := decode(slots, alphabet, fit)
	for _, f := range d.Forms {
		forms = append(forms, f.Text)
		p = append(p, f.P)
	}
	return d.Raw.Text, forms, p
}
