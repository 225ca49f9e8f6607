package natsconn

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io/fs"
	"os"

	"github.com/natsops/natsops/internal/hint"
)

// tlsFiles is what the TLS flags name. The certificate is read anew for each
// connection, so that a renewed one takes effect.
type tlsFiles struct {
	cert, key string
	roots     *x509.CertPool // nil: those of the system
}

func (f tlsFiles) given() bool { return f.cert != "" || f.roots != nil }

// loadTLS checks that the files are there and belong together.
func loadTLS(s settings) (tlsFiles, error) {
	cert, key, ca := s.of("tlscert"), s.of("tlskey"), s.of("tlsca")
	files := tlsFiles{cert: cert.value, key: key.value}
	switch {
	case cert.said() && !key.said():
		return files, hint.Wrap(configErrorf("cannot use %s without a key", cert.label), "--tlskey FILE")
	case key.said() && !cert.said():
		return files, hint.Wrap(configErrorf("cannot use %s without a certificate", key.label), "--tlscert FILE")
	}
	for _, file := range []setting{cert, key} {
		if err := readable(file); err != nil {
			return files, err
		}
	}
	if cert.said() {
		if _, err := tls.LoadX509KeyPair(files.cert, files.key); err != nil {
			return files, configErrorf("cannot use %s %s with %s %s: %s",
				cert.label, shown(files.cert), key.label, shown(files.key), oneLine(err.Error()))
		}
	}
	var err error
	files.roots, err = loadRoots(ca)
	return files, err
}

func loadRoots(ca setting) (*x509.CertPool, error) {
	if !ca.said() {
		return nil, nil
	}
	pem, err := os.ReadFile(ca.value)
	if err != nil {
		return nil, fileError(ca.label, ca.value, err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, configErrorf("cannot use %s %s: it holds no PEM certificate", ca.label, shown(ca.value))
	}
	return roots, nil
}

func readable(file setting) error {
	if !file.said() {
		return nil
	}
	if _, err := os.ReadFile(file.value); err != nil {
		return fileError(file.label, file.value, err)
	}
	return nil
}

// fileError names the file and how it came to be read. The text of a
// [fs.PathError] is taken apart, for its path may be a secret given by mistake.
func fileError(label, name string, err error) error {
	cause := err
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		cause = p.Err
	}
	text := "cannot read " + label + " " + shown(name) + ": " + oneLine(cause.Error())
	failed := &kindError{text, []error{ErrConfig, cause}}
	if inlineSecret(name) {
		return hint.Wrap(failed, "the path of a file that holds it, instead of the secret itself")
	}
	return failed
}
