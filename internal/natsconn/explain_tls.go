package natsconn

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/url"
	"slices"
	"strings"

	"github.com/nats-io/nats.go"
)

// tlsTrouble is a failure to agree on TLS, or on who is at either end of it.
func (a *attempt) tlsTrouble(server *url.URL, err error) reason {
	if found := a.mismatch(err); found.why != "" {
		return found
	}
	if found := a.certificate(server, err); found.why != "" {
		return found
	}
	alert, closed := alertIn(err), isClosed(err)
	refused := alert == "certificate required" || a.certWish.Load() && (alert != "" || closed)
	switch {
	case refused && a.tls.cert == "":
		return reason{why: "the server requires a client certificate", remedy: "--tlscert FILE and --tlskey FILE", answered: true}
	case refused:
		return reason{
			why:    "the server refused the client certificate " + shown(a.tls.cert) + detail(alert),
			remedy: "a certificate signed by an authority that the server trusts", answered: true,
		}
	case errors.Is(err, nats.ErrTLS) && !isTimeout(err) && !closed:
		_, cause, _ := strings.Cut(err.Error(), ": tls error: ")
		return reason{why: "TLS handshake failed" + detail(cause), remedy: "checking the TLS settings of both sides", answered: true}
	}
	return reason{}
}

// mismatch is one side speaking TLS where the other does not.
func (a *attempt) mismatch(err error) reason {
	record, isRecord := errors.AsType[tls.RecordHeaderError](err)
	switch {
	case errors.Is(err, nats.ErrSecureConnWanted):
		return reason{
			why:    "the server does not offer TLS",
			remedy: "nats:// instead of tls://, without --tlsca, --tlscert and --tlskey", answered: true,
		}
	case isRecord && strings.HasPrefix(string(record.RecordHeader[:]), "-ERR"):
		return reason{
			why:    "the server answered with an error instead of TLS",
			remedy: "its log, which says why (often: maximum connections exceeded)", answered: true,
		}
	case isRecord && a.tlsFirst:
		return reason{why: "the server does not start with TLS", remedy: "the same without --tlsfirst", answered: true}
	case isRecord:
		return reason{why: "the server does not speak TLS", remedy: remedyPort, answered: true}
	}
	return reason{}
}

// certificate is a fault found in the server's certificate.
func (a *attempt) certificate(server *url.URL, err error) reason {
	authority, isAuthority := errors.AsType[x509.UnknownAuthorityError](err)
	name, isName := errors.AsType[x509.HostnameError](err)
	invalid, isInvalid := errors.AsType[x509.CertificateInvalidError](err)
	r := reason{answered: true}
	switch {
	case isAuthority:
		r.why = "the server's certificate is signed by an unknown authority" + issuer(authority.Cert)
		r.remedy = "--tlsca FILE with the certificate of that authority"
	case isName:
		r.why = "the server's certificate is not for " + server.Hostname()
		r.remedy = "--server with a name that the certificate is for" + detail(strings.Join(names(name.Certificate), ", "))
	case isInvalid && invalid.Reason == x509.Expired:
		r.why = "the server's certificate has expired, or is not valid yet"
		r.remedy = "renewing it, or checking the clock of this machine"
	case isInvalid:
		r.why = "the server's certificate is not valid" + detail(strings.TrimPrefix(invalid.Error(), "x509: "))
		r.remedy = "a certificate made for servers"
	}
	return r
}

func issuer(cert *x509.Certificate) string {
	if cert == nil || cert.Issuer.String() == "" {
		return ""
	}
	return " (" + oneLine(cert.Issuer.String()) + ")"
}

func names(cert *x509.Certificate) []string {
	if cert == nil {
		return nil
	}
	all := slices.Clone(cert.DNSNames)
	for _, ip := range cert.IPAddresses {
		all = append(all, ip.String())
	}
	return all
}

// alertIn is the TLS alert that the other side sent, or "".
func alertIn(err error) string {
	_, alert, _ := strings.Cut(err.Error(), "remote error: tls: ")
	return alert
}

func detail(text string) string {
	if text = oneLine(text); text == "" {
		return ""
	}
	return ": " + text
}
