// Package quantity reads and writes quantities as people do: 5ms, 10k, 1.5M/s,
// 4KiB, 95%. Flags and objectives share these forms.
//
// A quantity is a decimal number without sign or exponent, and a unit, with or
// without a space between them. k, M, G, T, P and E are powers of 1000; Ki, Mi,
// Gi, Ti, Pi and Ei, for sizes only, are powers of 1024. What is written keeps 3
// significant digits and can be read back. Errors are one line that names the
// input and what is wanted.
package quantity
