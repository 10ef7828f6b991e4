package private

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
)

// Copy writes a consistent copy of a private database that may be in use.
func Copy(ctx context.Context, from, to string) error {
	if _, err := os.Stat(from); err != nil {
		return fmt.Errorf("copy the private part: %w", err)
	}
	db, err := sql.Open("sqlite", "file:"+from+"?_pragma=busy_timeout(10000)")
	if err != nil {
		return fmt.Errorf("copy the private part: %w", err)
	}
	_, err = db.ExecContext(ctx, "VACUUM INTO ?", to)
	if err = errors.Join(err, db.Close()); err != nil {
		return fmt.Errorf("copy the private part: %w", err)
	}
	return nil
}

// Check says whether a private database is whole.
func Check(ctx context.Context, path string) error {
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=query_only(1)")
	if err != nil {
		return fmt.Errorf("check the private part: %w", err)
	}
	var answer string
	err = db.QueryRowContext(ctx, "PRAGMA integrity_check").Scan(&answer)
	if err = errors.Join(err, db.Close()); err != nil {
		return fmt.Errorf("check the private part: %w", err)
	}
	if answer != "ok" {
		return fmt.Errorf("check the private part: %s", answer)
	}
	return nil
}
