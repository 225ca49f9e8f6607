package main

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"github.com/natsops/natsops/internal/bench"
)

// newDocsCommand returns the hidden command that writes the reference pages.
// They are made from what the program does, and a test compares them byte for
// byte.
func newDocsCommand(w world) *cobra.Command {
	var dir, man, measured string
	cmd := &cobra.Command{
		Use:    "docs",
		Short:  "Write the reference pages",
		Hidden: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if measured != "" {
				text, err := measurements(args)
				if err != nil {
					return err
				}
				return os.WriteFile(measured, text, 0o644) //nolint:gosec // documentation is for everybody
			}
			if man != "" {
				return writeMan(cmd.Root(), man)
			}
			pages, err := referencePages(w)
			if err != nil {
				return err
			}
			return writePages(dir, pages)
		},
	}
	cmd.Flags().StringVar(&dir, "dir", "docs/reference", "write to `DIR`")
	cmd.Flags().StringVar(&man, "man", "", "write manual pages to `DIR` instead")
	cmd.Flags().StringVar(&measured, "measured", "", "put results of drills together into `FILE` instead")
	return cmd
}

// referencePages returns the contents of every generated page by file name.
func referencePages(w world) (map[string]string, error) {
	pages := map[string]string{
		"exit-codes.md":    exitCodesPage(),
		"metrics.md":       metricsPage(),
		"lag-statuses.md":  statusesPage(),
		"doctor-checks.md": checksPage(),
	}
	var add func(cmd *cobra.Command) error
	add = func(cmd *cobra.Command) error {
		cmd.DisableAutoGenTag = true
		var page bytes.Buffer
		if err := doc.GenMarkdown(cmd, &page); err != nil {
			return err
		}
		pages[strings.ReplaceAll(cmd.CommandPath(), " ", "_")+".md"] = page.String()
		var errs error
		for _, sub := range cmd.Commands() {
			if sub.IsAvailableCommand() {
				errs = errors.Join(errs, add(sub))
			}
		}
		return errs
	}
	chaos, err := chaosPages()
	if err != nil {
		return nil, err
	}
	maps.Copy(pages, chaos)
	root := newRootCommand(w)
	root.InitDefaultHelpCmd()
	return pages, add(root)
}

func exitCodesPage() string {
	var page strings.Builder
	page.WriteString("# Exit codes\n\nThe codes are part of the interface. New ones may be added; treat any other code\nthan 0 as a failure.\n\n| code | when |\n|---:|---|\n")
	for _, e := range exits() {
		fmt.Fprintf(&page, "| %d | %s |\n", e.code, e.when)
	}
	return page.String()
}

func metricsPage() string {
	var page strings.Builder
	page.WriteString("# Metrics\n\nOne name everywhere: in `--slo`, in CSV columns and in this documentation.\nA workload has those that make sense for it; an objective on another is refused\nbefore anything is sent. With `--repeat` an objective is held against the median.\n\n| metric | unit | what it is |\n|---|---|---|\n")
	for _, m := range bench.AllMetrics() {
		fmt.Fprintf(&page, "| `%s` | %v | %s |\n", m.Name, m.Unit, m.Doc)
	}
	return page.String()
}

func writePages(dir string, pages map[string]string) error {
	for name, text := range pages {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil { //nolint:gosec // documentation is for everybody
			return err
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil { //nolint:gosec // as above
			return err
		}
	}
	return nil
}

func writeMan(root *cobra.Command, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // documentation is for everybody
		return err
	}
	root.DisableAutoGenTag = true
	return doc.GenManTree(root, &doc.GenManHeader{Title: "NATSOPS", Section: "1", Source: "natsops"}, dir)
}
