//! candle_peer MODEL_DIR [--padded]: the line protocol of tests/peers/worker.py with candle's BERT.
//! `--padded` is how the first system ran it: every text padded to 128 tokens, no mask, one at a time.
use std::io::{BufRead, Write};
use std::time::Instant;

use candle_core::{DType, Device, Result, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::bert::{BertModel, Config};
use serde_json::{json, Value};

const PADDED: usize = 128;

fn cpu_ms() -> f64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut now) };
    now.tv_sec as f64 * 1e3 + now.tv_nsec as f64 / 1e6
}

fn unit(sums: Tensor) -> Result<Tensor> {
    let norm = sums.sqr()?.sum_keepdim(1)?.sqrt()?;
    sums.broadcast_div(&norm)
}

/// Texts of one length in one batch.
fn embed(model: &BertModel, texts: &[Vec<u32>], padded: bool) -> Result<Vec<Vec<f32>>> {
    let real = texts[0].len();
    let width = if padded { real.max(PADDED) } else { real };
    let flat: Vec<u32> = texts
        .iter()
        .flat_map(|text| text.iter().copied().chain(std::iter::repeat(0).take(width - real)))
        .collect();
    let ids = Tensor::from_vec(flat, (texts.len(), width), &Device::Cpu)?;
    let hidden = model.forward(&ids, &ids.zeros_like()?, None)?;
    unit(hidden.narrow(1, 0, real)?.sum(1)?)?.to_vec2()
}

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let directory = std::env::args().nth(1).ok_or("usage: candle_peer MODEL_DIR [--padded]")?;
    let padded = std::env::args().nth(2).as_deref() == Some("--padded");
    let config: Config = serde_json::from_slice(&std::fs::read(format!("{directory}/config.json"))?)?;
    let file = format!("{directory}/model.safetensors");
    let weights = unsafe { VarBuilder::from_mmaped_safetensors(&[file], DType::F32, &Device::Cpu)? };
    let model = BertModel::load(weights, &config)?;
    for line in std::io::stdin().lock().lines() {
        let work: Value = serde_json::from_str(&line?)?;
        let texts: Vec<Vec<u32>> = serde_json::from_value(work["texts"].clone())?;
        if work["vectors"] == json!(true) {
            let mut vectors = Vec::new();
            for text in &texts {
                vectors.append(&mut embed(&model, std::slice::from_ref(text), padded)?);
            }
            println!("{}", json!({ "vectors": vectors }));
            continue;
        }
        let same = !padded && texts.iter().all(|text| text.len() == texts[0].len());
        let mut ms = Vec::new();
        let mut cpu = Vec::new();
        for _ in 0..work["repeat"].as_u64().unwrap_or(1) {
            let (begin, cpu_begin) = (Instant::now(), cpu_ms());
            if same {
                embed(&model, &texts, padded)?;
            } else {
                for text in &texts {
                    embed(&model, std::slice::from_ref(text), padded)?;
                }
            }
            ms.push(begin.elapsed().as_secs_f64() * 1e3);
            cpu.push(cpu_ms() - cpu_begin);
        }
        ms.sort_by(f64::total_cmp);
        cpu.sort_by(f64::total_cmp);
        println!("{}", json!({ "ms": ms[ms.len() / 2], "cpu_ms": cpu[cpu.len() / 2] }));
        std::io::stdout().flush()?;
    }
    Ok(())
}
