package passage_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A disk that writes slowly stores the devices' readings in another order than
// they came.
func TestDocumentsStoredOutOfOrderKeepTheirBearers(t *testing.T) {
	for name, story := range map[string]func(s *script){
		"the next document before the presence": func(s *script) {
			s.document(0.17, traveller("NGUYEN", "C1"))
			s.document(1.64, traveller("TRAN", "C2"))
			s.begin(0.51)
			s.end(0.79)
			s.begin(1.96)
			s.end(2.24)
		},
		"the document after the presence": func(s *script) {
			s.begin(0.51)
			s.end(0.79)
			s.document(0.17, traveller("NGUYEN", "C1"))
			s.document(1.64, traveller("TRAN", "C2"))
			s.begin(1.96)
			s.end(2.24)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := play(t, hall(t))
			story(s)
			s.untilQuiet(100)
			rs := s.records()
			require.Len(t, rs, 2)
			for i, number := range []string{"C1", "C2"} {
				require.Len(t, rs[i].Documents, 1)
				require.Equal(t, number, rs[i].Documents[0].Document.Number)
				require.Empty(t, rs[i].Irregular)
			}
		})
	}
}
