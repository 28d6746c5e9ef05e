//! dcap_qvl_peer reads one case a line (JSON) and prints one verdict a line (JSON); with `--bench N` it verifies the
//! first case N times and prints the nanoseconds of each run of it instead. The form of both lines: ../run.py.

use base64::{engine::general_purpose::STANDARD, Engine as _};
use dcap_qvl::verify::QuoteVerifier;
use dcap_qvl::QuoteCollateralV3;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::HashMap;
use std::io::BufRead;
use std::time::Instant;

#[derive(Deserialize)]
struct Case {
    id: String,
    kind: String,
    evidence: String,
    collateral: HashMap<String, String>,
    time: u64,
    root: Option<String>,
}

// The signature covers the document's bytes as they stand.
#[derive(Deserialize)]
struct TcbInfo<'a> {
    #[serde(borrow, rename = "tcbInfo")]
    document: &'a RawValue,
    signature: String,
}

#[derive(Deserialize)]
struct QeIdentity<'a> {
    #[serde(borrow, rename = "enclaveIdentity")]
    document: &'a RawValue,
    signature: String,
}

fn decode_hex(text: &str) -> Result<Vec<u8>, String> {
    if text.len() % 2 != 0 || !text.is_ascii() {
        return Err("not hexadecimal".into());
    }
    (0..text.len())
        .step_by(2)
        .map(|i| u8::from_str_radix(&text[i..i + 2], 16).map_err(|e| e.to_string()))
        .collect()
}

struct Job {
    quote: Vec<u8>,
    collateral: QuoteCollateralV3,
    time: u64,
    verifier: QuoteVerifier,
}

impl Job {
    // What is not there stays empty: the library has no form for absent collateral.
    fn new(case: &Case) -> Result<Job, String> {
        let bytes = |name: &str| -> Result<Vec<u8>, String> {
            let text = case.collateral.get(name).map(String::as_str).unwrap_or("");
            STANDARD.decode(text).map_err(|e| e.to_string())
        };
        let text = |name: &str| -> Result<String, String> {
            String::from_utf8(bytes(name)?).map_err(|e| format!("{name}: {e}"))
        };
        let (tcb_info, qe_identity) = (text("tcb_info")?, text("qe_identity")?);
        let tcb: TcbInfo = serde_json::from_str(&tcb_info).map_err(|e| format!("tcb_info: {e}"))?;
        let qe: QeIdentity = serde_json::from_str(&qe_identity).map_err(|e| format!("qe_identity: {e}"))?;
        let verifier = match &case.root {
            Some(root) => QuoteVerifier::new(STANDARD.decode(root).map_err(|e| e.to_string())?),
            None => QuoteVerifier::new_prod(),
        };
        Ok(Job {
            quote: STANDARD.decode(&case.evidence).map_err(|e| e.to_string())?,
            collateral: QuoteCollateralV3 {
                pck_crl_issuer_chain: text("pck_crl_issuer_chain")?,
                root_ca_crl: bytes("root_crl")?,
                pck_crl: bytes("pck_crl")?,
                tcb_info_issuer_chain: text("tcb_signing_chain")?,
                tcb_info: tcb.document.get().to_string(),
                tcb_info_signature: decode_hex(&tcb.signature)?,
                qe_identity_issuer_chain: text("tcb_signing_chain")?,
                qe_identity: qe.document.get().to_string(),
                qe_identity_signature: decode_hex(&qe.signature)?,
                pck_certificate_chain: None,
            },
            time: case.time,
            // Its own policy on debug and service TDs is off, as ours is by default.
            verifier: verifier.allow_debug(true).allow_service_td(true),
        })
    }

    fn verify(&self) -> Result<String, String> {
        self.verifier
            .verify(&self.quote, &self.collateral, self.time)
            .map(|report| report.status)
            .map_err(|e| format!("{e:#}"))
    }
}

fn answer(case: &Case) -> serde_json::Value {
    if case.kind != "tdx" {
        return serde_json::json!({"id": case.id, "verdict": "unsupported"});
    }
    match Job::new(case).and_then(|job| job.verify()) {
        Ok(status) => serde_json::json!({"id": case.id, "verdict": "valid", "tcb_status": status}),
        Err(error) => serde_json::json!({"id": case.id, "verdict": "invalid", "error": error}),
    }
}

fn bench(case: &Case, count: usize) {
    let job = Job::new(case).expect("a case to measure");
    job.verify().expect("a valid case to measure");
    for _ in 0..count {
        let start = Instant::now();
        let _ = std::hint::black_box(job.verify());
        println!("{}", start.elapsed().as_nanos());
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    for line in std::io::stdin().lock().lines() {
        let case: Case = serde_json::from_str(&line.expect("a line")).expect("a case");
        if arguments.len() == 3 && arguments[1] == "--bench" {
            return bench(&case, arguments[2].parse().expect("a number"));
        }
        println!("{}", answer(&case));
    }
}
