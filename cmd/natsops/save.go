package main

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// checkSave makes sure, before anything is sent, that the result can be saved
// later. It leaves nothing behind.
func checkSave(file string) error {
	if file == "" {
		return nil
	}
	if to, err := filepath.EvalSymlinks(file); err == nil {
		file = to
	}
	info, err := os.Stat(file)
	switch {
	case err == nil && info.IsDir():
		return usagef("cannot save the result: %s is a directory", file)
	case err == nil && !info.Mode().IsRegular():
		return usagef("cannot save the result: %s is no regular file", file)
	}
	f, err := os.CreateTemp(filepath.Dir(file), ".natsops-*")
	if err != nil {
		return usagef("cannot save the result to %s: %w", file, cause(err))
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// save writes the result beside its place and moves it there, so that a file is
// there whole or not at all. A link is followed.
func save(file string, mode fs.FileMode, write func(io.Writer) error) error {
	if to, err := filepath.EvalSymlinks(file); err == nil {
		file = to
	}
	f, err := os.CreateTemp(filepath.Dir(file), ".natsops-*")
	if err != nil {
		return err
	}
	err = errors.Join(write(f), f.Chmod(mode), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), file)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}
