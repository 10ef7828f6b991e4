package xsp_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gatehouse/internal/sim/xsp"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The checked frames of the profile.
func vectors() []string {
	return []string{
		"$XSTA,0042,READY,STOP,OFF,CLOSED,0,0*3A", "$XSTA,0043,SCANNING,FWD,ON,CLOSED,0,0*62",
		"$XSTA,0044,INTERLOCK,STOP,OFF,OPEN,0,I02*45", "$XCMD,0007,START,L01-000123*19",
		"$XACK,0007,OK*12", "$XNAK,0007,INTERLOCK*54",
		"$XEVT,0045,SCAN_BEGIN,L01-000123*55", "$XEVT,0046,SCAN_END,L01-000123,0*42",
		"$XIMG,0047,L01-000123,1,L01-000123_v1.tif,4194304*77", "$XCMD,0008,BELT,S*7A",
	}
}

func TestSealMakesTheCheckedFrames(t *testing.T) {
	for _, want := range vectors() {
		body, _, _ := strings.Cut(want[1:], "*")
		require.Equal(t, want, xsp.Seal(body))
	}
}

func TestCommands(t *testing.T) {
	c, err := xsp.ParseCommand("$XCMD,0007,START,L01-000123*19")
	require.NoError(t, err)
	require.Equal(t, xsp.Command{Seq: 7, Verb: "START", Args: []string{"L01-000123"}, Body: "XCMD,0007,START,L01-000123"}, c)

	c, err = xsp.ParseCommand("$XCMD,0007,START,L01-000124*19")
	require.ErrorIs(t, err, xsp.ErrSum)
	require.Equal(t, 7, c.Seq)

	for _, bad := range []string{"", "XCMD,0007,STOP*00", "$XSTA,0001,READY*00", "$XCMD,7,STOP*00", "$XCMD,-001,STOP*00", "$XCMD,0007*00"} {
		c, err := xsp.ParseCommand(bad)
		require.Error(t, err, bad)
		require.Equal(t, -1, c.Seq, bad)
	}
}

func FuzzParseCommand(f *testing.F) {
	for _, v := range vectors() {
		f.Add(v)
	}
	f.Fuzz(func(t *testing.T, line string) {
		c, err := xsp.ParseCommand(line)
		if err != nil {
			return
		}
		require.Equal(t, strings.ToUpper(line), strings.ToUpper(xsp.Seal(c.Body)))
		require.GreaterOrEqual(t, c.Seq, 0)
		require.Less(t, c.Seq, xsp.Sequences)
		again, err := xsp.ParseCommand(xsp.Seal(c.Body))
		require.NoError(t, err)
		require.Equal(t, c, again)
	})
}
