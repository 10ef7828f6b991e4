package store_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"gatehouse/internal/event"
)

func decode[T any](t *testing.T, data []byte) T {
	t.Helper()
	env, err := event.ParseEnvelope(data)
	require.NoError(t, err)
	var v T
	require.NoError(t, json.Unmarshal(env.Data, &v))
	return v
}

func last[T any](list []T) T { return list[len(list)-1] }
