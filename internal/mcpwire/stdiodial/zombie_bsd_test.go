//go:build unix && !linux

package stdiodial

func zombie(int) bool { return false }
