// Package chart draws numbers as PNG pictures. Nothing leaves the machine for it.
package chart
