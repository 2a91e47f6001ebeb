//go:build !unix

package testkit

func startPostgres(string) (*postgres, error) { return nil, nil }
