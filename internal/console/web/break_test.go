package web_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/internal/console/consoletest"
	"gatehouse/internal/event"
	"gatehouse/internal/share"
)

func TestPagesSayThatAGateBeganANewRecordAndWhichKeySigns(t *testing.T) {
	s := newSite(t)
	s.setUp(t)
	before := passage()
	s.share(t, event.TypePassage, before.ID, before)
	_, _, body := s.get(t, "/")
	require.NotContains(t, body, "bắt đầu sổ ghi mới", "the first record of a gate is nothing to tell")

	time.Sleep(2 * time.Millisecond) // names of records end in the time, in milliseconds
	old := s.Chain
	s.Chain = consoletest.NewChain(t, "15BB")
	s.Start = &share.Start{After: []share.Head{
		{Agency: event.Customs, Chain: old.Name, Sequence: 4711, Head: "x"}, {Agency: event.BorderGuard, Chain: old.Name, Sequence: 4700, Head: "y"},
	}}
	after := passage()
	s.share(t, event.TypePassage, after.ID, after)
	for _, path := range []string{"/", "/devices"} {
		_, _, body = s.get(t, path)
		require.Contains(t, body, `id="break-`+s.Name, path)
		require.Contains(t, body, "Hải quan đến mục 4711, Biên phòng đến mục 4700.", path)
		require.Contains(t, body, "Ở đây giữ sổ cũ đến mục 1.")
	}
	_, _, body = s.get(t, "/passages/"+string(after.ID))
	require.Contains(t, body, `data-key-id="`+s.Key.Public().ID())
}
