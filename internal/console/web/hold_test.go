package web_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/internal/console/private"
	"gatehouse/internal/event"
)

// heldBack is what the console has queued about legal holds.
func (s *site) heldBack(t *testing.T) (list []event.LegalHold) {
	t.Helper()
	queued, err := s.store.Outbox(t.Context(), 100)
	require.NoError(t, err)
	for _, q := range queued {
		if q.Type != event.TypeHold {
			continue
		}
		env, err := event.ParseEnvelope(q.Data)
		require.NoError(t, err)
		var h event.LegalHold
		require.NoError(t, json.Unmarshal(env.Data, &h))
		list = append(list, h)
	}
	return list
}

func TestASupervisorSetsAndLiftsALegalHold(t *testing.T) {
	s := newSite(t)
	s.setUp(t) // a supervisor
	p := passage()
	s.share(t, event.TypePassage, p.ID, p)
	at := "/passages/" + string(p.ID)
	status, _, body := s.post(t, at+"/hold", url.Values{"set": {"true"}})
	require.Equal(t, http.StatusUnprocessableEntity, status)
	require.Contains(t, body, "Lệnh lưu giữ cần có lý do.")
	status, _, _ = s.post(t, at+"/hold", url.Values{"set": {"false"}, "reason": {"nhầm"}})
	require.Equal(t, http.StatusUnprocessableEntity, status, "there is none to lift")
	require.Empty(t, s.heldBack(t))

	status, _, _ = s.post(t, at+"/hold", url.Values{"set": {"true"}, "reason": {"án số 12"}})
	require.Equal(t, http.StatusSeeOther, status)
	said := s.heldBack(t)
	require.Len(t, said, 1)
	require.True(t, said[0].Set)
	require.Equal(t, "án số 12", said[0].Reason)
	require.Equal(t, event.Customs, said[0].Agency)
	_, _, body = s.get(t, at)
	require.Contains(t, body, `data-held="CUSTOMS"`)
	status, _, _ = s.post(t, at+"/hold", url.Values{"set": {"true"}, "reason": {"lần nữa"}})
	require.Equal(t, http.StatusUnprocessableEntity, status, "it is set")

	// The other agency has its own, which stays when ours is lifted.
	theirs := said[0]
	theirs.ID, theirs.Agency = event.NewID(time.Now()), event.BorderGuard
	s.share(t, event.TypeHold, said[0].ID, said[0])
	s.share(t, event.TypeHold, theirs.ID, theirs)
	status, _, _ = s.post(t, at+"/hold", url.Values{"set": {"false"}, "reason": {"án đã xong"}})
	require.Equal(t, http.StatusSeeOther, status)
	_, _, body = s.get(t, at)
	require.NotContains(t, body, `data-held="CUSTOMS"`)
	require.Contains(t, body, `data-held="BORDERGUARD"`)
	require.Contains(t, body, "án đã xong", "what was said stays to be read")
	require.Len(t, s.lines(t, private.ActHold), 2)

	officer := s.as(t, private.Officer)
	_, _, body = officer.get(t, at)
	require.Contains(t, body, `data-held="BORDERGUARD"`, "everybody sees it")
	require.NotContains(t, body, `data-open="hold"`)
	status, _, _ = officer.post(t, at+"/hold", url.Values{"set": {"true"}, "reason": {"x"}})
	require.Equal(t, http.StatusForbidden, status)
}

func TestARemovedPictureSaysByWhichRuleAndWhen(t *testing.T) {
	s := newSite(t)
	s.setUp(t)
	p := passage()
	sha := event.Digest([]byte("gone"))
	p.Photos = []event.Photo{{Image: event.Evidence{SHA256: sha, MediaType: "image/jpeg", Bytes: 4}, View: "front", Analysis: "done"}}
	s.share(t, event.TypePassage, p.ID, p)
	_, _, body := s.get(t, "/passages/"+string(p.ID))
	require.Contains(t, body, "Đang tải ảnh từ cửa khẩu")
	r := event.Removal{
		ID: event.NewID(time.Now()), Gate: "15BB", Rule: "clear-photos", Cause: event.RemovedForRoom, Days: 30,
		At: time.Date(2026, 3, 2, 3, 4, 5, 0, time.UTC), Pieces: []event.RemovedPiece{{SHA256: sha, Bytes: 4, Kind: event.EvidencePhoto, Passage: p.ID}},
	}
	s.share(t, event.TypeRemoval, r.ID, r)
	for _, path := range []string{"/passages/" + string(p.ID), "/passages/" + string(p.ID) + "/pictures/" + sha} {
		_, _, body = s.get(t, path)
		require.Contains(t, body, `data-removed="clear-photos"`, path)
		require.Contains(t, body, "10:04:05", "at the gate's time")
		require.NotContains(t, body, "Đang tải ảnh từ cửa khẩu")
	}
}
