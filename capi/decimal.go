package capi

// Decimal is a number with four decimal places, kept exactly: the amount times
// 10 000. Its range is ±922 337 203 685 477.5807.
type Decimal int64
