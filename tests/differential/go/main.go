// differential reads one case a line (JSON) and prints one verdict a line (JSON), by go-tdx-guest and go-sev-guest;
// with `-bench N` it verifies the first case N times and prints the nanoseconds of each run of it instead. The form of
// both lines: ../run.py.
package main

import (
	"bufio"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	sabi "github.com/google/go-sev-guest/abi"
	sevsnp "github.com/google/go-sev-guest/proto/sevsnp"
	sverify "github.com/google/go-sev-guest/verify"
	strust "github.com/google/go-sev-guest/verify/trust"
	tverify "github.com/google/go-tdx-guest/verify"
)

type testCase struct {
	ID         string            `json:"id"`
	Kind       string            `json:"kind"`
	Evidence   []byte            `json:"evidence"`
	Collateral map[string][]byte `json:"collateral"`
	Time       int64             `json:"time"`
	Root       []byte            `json:"root"`
}

type answer struct {
	ID      string `json:"id"`
	Verdict string `json:"verdict"`
	Error   string `json:"error,omitempty"`
}

var errAbsent = errors.New("this collateral is absent")

// pcs answers go-tdx-guest with the case's collateral as Intel's service would.
type pcs struct{ collateral map[string][]byte }

func (p pcs) Get(address string) (map[string][]string, []byte, error) {
	item, chain, header := "root_crl", "", ""
	switch {
	case strings.Contains(address, "/pckcrl"):
		item, chain, header = "pck_crl", "pck_crl_issuer_chain", "Sgx-Pck-Crl-Issuer-Chain"
	case strings.Contains(address, "/tcb"):
		item, chain, header = "tcb_info", "tcb_signing_chain", "Tcb-Info-Issuer-Chain"
	case strings.Contains(address, "/qe/identity"):
		item, chain, header = "qe_identity", "tcb_signing_chain", "Sgx-Enclave-Identity-Issuer-Chain"
	}
	body, found := p.collateral[item]
	if !found {
		return nil, nil, errAbsent
	}
	return map[string][]string{header: {url.QueryEscape(string(p.collateral[chain]))}}, body, nil
}

// kds answers go-sev-guest with the case's revocation list, whatever it asks for.
type kds struct{ crl []byte }

func (k kds) Get(string) ([]byte, error) {
	if len(k.crl) == 0 {
		return nil, errAbsent
	}
	return k.crl, nil
}

func certificates(text []byte) ([]*x509.Certificate, error) {
	var out []*x509.Certificate
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		one, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		out = append(out, one)
	}
	return out, nil
}

func rootPool(root []byte) (*x509.CertPool, error) {
	if len(root) == 0 {
		return nil, nil
	}
	pool := x509.NewCertPool()
	if pool.AppendCertsFromPEM(root) {
		return pool, nil
	}
	one, err := x509.ParseCertificate(root)
	if err != nil {
		return nil, err
	}
	pool.AddCert(one)
	return pool, nil
}

func verifyTdx(c *testCase) error {
	pool, err := rootPool(c.Root)
	if err != nil {
		return err
	}
	return tverify.RawTdxQuote(c.Evidence, &tverify.Options{
		CheckRevocations: true,
		GetCollateral:    true,
		Getter:           pcs{c.Collateral},
		Now:              time.Unix(c.Time, 0),
		TrustedRoots:     pool,
	})
}

// snpRoots trusts the chain of the case: for invented hardware alone.
func snpRoots(ask, ark *x509.Certificate) map[string][]*strust.AMDRootCerts {
	out := map[string][]*strust.AMDRootCerts{}
	for _, line := range []string{"Milan", "Genoa", "Turin"} {
		out[line] = []*strust.AMDRootCerts{{
			Product: line, ProductLine: line, ProductCerts: &strust.ProductCerts{Ask: ask, Asvk: ask, Ark: ark}}}
	}
	return out
}

func verifySnp(c *testCase) error {
	report, err := sabi.ReportToProto(c.Evidence)
	if err != nil {
		return err
	}
	chain, err := certificates(c.Collateral["ca_chain"])
	if err != nil {
		return err
	}
	if len(chain) != 2 {
		return fmt.Errorf("ca_chain holds %d certificates", len(chain))
	}
	vek := c.Collateral["vek"]
	options := &sverify.Options{
		CheckRevocations:    true,
		DisableCertFetching: true,
		Getter:              kds{c.Collateral["crl"]},
		Now:                 time.Unix(c.Time, 0),
	}
	if len(c.Root) != 0 {
		options.TrustedRoots = snpRoots(chain[0], chain[1])
	}
	return sverify.SnpAttestation(&sevsnp.Attestation{Report: report, CertificateChain: &sevsnp.CertificateChain{
		VcekCert: vek, VlekCert: vek, AskCert: chain[0].Raw, ArkCert: chain[1].Raw}}, options)
}

func verify(c *testCase) (err error) {
	defer func() {
		if what := recover(); what != nil {
			err = fmt.Errorf("panic: %v", what)
		}
	}()
	if c.Kind == "tdx" {
		return verifyTdx(c)
	}
	return verifySnp(c)
}

func judge(c *testCase) answer {
	if c.Kind != "tdx" && c.Kind != "sevsnp" {
		return answer{ID: c.ID, Verdict: "unsupported"}
	}
	if err := verify(c); err != nil {
		return answer{ID: c.ID, Verdict: "invalid", Error: err.Error()}
	}
	return answer{ID: c.ID, Verdict: "valid"}
}

func bench(c *testCase, count int) error {
	if err := verify(c); err != nil {
		return err
	}
	for range count {
		start := time.Now()
		if err := verify(c); err != nil {
			return err
		}
		fmt.Println(time.Since(start).Nanoseconds())
	}
	return nil
}

func run() error {
	count := flag.Int("bench", 0, "verify the first case so many times")
	flag.Parse()
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<26)
	out := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		var c testCase
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			return err
		}
		if *count > 0 {
			return bench(&c, *count)
		}
		if err := out.Encode(judge(&c)); err != nil {
			return err
		}
	}
	return lines.Err()
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
