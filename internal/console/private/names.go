package private

import (
	"context"
	"fmt"
)

// Names gives the officers' names by badge. They are for the agency's own
// pages; the other agency knows badges alone.
func (s *Store) Names(ctx context.Context) (map[string]string, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT badge, name FROM users`)
	if err != nil {
		return nil, fmt.Errorf("list names: %w", err)
	}
	defer rows.Close()
	names := map[string]string{}
	for rows.Next() {
		var badge, name string
		if err := rows.Scan(&badge, &name); err != nil {
			return nil, fmt.Errorf("list names: %w", err)
		}
		names[badge] = name
	}
	return names, rows.Err()
}
