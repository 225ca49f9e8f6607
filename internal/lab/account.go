package lab

import (
	"cmp"
	"crypto/rand"
	"fmt"
	"slices"
	"strings"

	"github.com/nats-io/nats-server/v2/server"
)

// The accounts that every lab has, unless it asks for a token: nats-server
// knows no token together with accounts (parseAccounts in its opts.go), so
// there its own $G and $SYS are all there is.
const (
	SystemAccount = "SYS" // sees the servers; has no JetStream
	AppAccount    = "APP" // where clients without a user of their own are
)

const (
	appUser    = "natsops"
	systemUser = "system"
)

// A User may connect to the lab besides the one of [Server.Credentials] and
// the one of [Server.SystemCredentials].
type User struct {
	Name     string
	Password string // "": a new one, see [Server.UserCredentials]
	// Account is made, with JetStream, when there is none of this name.
	// "": [AppAccount].
	Account string
	// AllowPublish and DenyPublish are the subjects that the user may and may
	// not publish to; none: all.
	AllowPublish, DenyPublish []string
}

// users are all who may connect to a lab with a password.
func users(cfg Config) []User {
	own := []User{{Name: systemUser, Account: SystemAccount}}
	switch cfg.Auth {
	case AuthToken:
		return nil
	case AuthNone, AuthUser:
		own = append(own, User{Name: appUser})
	case AuthNKey: // instead of a password
	}
	all := slices.Concat(own, cfg.Users)
	for i, u := range all {
		all[i] = u.withPassword()
	}
	return all
}

// withPassword fills the zero values in.
func (u User) withPassword() User {
	u.Password = cmp.Or(u.Password, rand.Text())
	u.Account = cmp.Or(u.Account, AppAccount)
	return u
}

// checkUsers refuses what nats-server would misunderstand.
func checkUsers(users []User) error {
	names := []string{appUser, systemUser}
	for _, u := range users {
		if u.Name == "" || slices.Contains(names, u.Name) {
			return fmt.Errorf("the lab user name %q is empty or taken", u.Name)
		}
		names = append(names, u.Name)
		if strings.ContainsFunc(u.Account, notInName) {
			return fmt.Errorf("the lab account %q is not made of letters, digits, - and _", u.Account)
		}
	}
	return nil
}

func notInName(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_'
}

// setAccounts adds the accounts that users name, and users, to o.
func setAccounts(o *server.Options, users []User) error {
	names := []string{SystemAccount, AppAccount}
	for _, u := range users {
		if !slices.Contains(names, u.Account) {
			names = append(names, u.Account)
		}
	}
	// Only a configuration in words can give an account JetStream.
	var conf strings.Builder
	fmt.Fprintf(&conf, "system_account: %q\naccounts {\n%q {}\n", SystemAccount, SystemAccount)
	for _, name := range names[1:] {
		fmt.Fprintf(&conf, "%q { jetstream: enabled }\n", name)
	}
	conf.WriteString("}\n")
	if err := o.ProcessConfigString(conf.String()); err != nil {
		return err
	}
	for _, u := range users {
		i := slices.IndexFunc(o.Accounts, func(a *server.Account) bool { return a.Name == u.Account })
		su := &server.User{Username: u.Name, Password: u.Password, Account: o.Accounts[i]}
		if len(u.AllowPublish)+len(u.DenyPublish) > 0 {
			su.Permissions = &server.Permissions{
				Publish: &server.SubjectPermission{Allow: u.AllowPublish, Deny: u.DenyPublish},
			}
		}
		o.Users = append(o.Users, su)
	}
	return nil
}
