# Sourced: broker and server with the evaluation policy and the real model, as separate processes on loopback.
# Everything lies below $run; the caller sets it, and $program.
# shellcheck shell=bash

# field NAME: the value of a text member of the JSON line on standard input.
field() { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"; }

# wait_line FILE PID: waits until the process has said its one JSON line, or has ended.
wait_line() {
  local tries=0
  until [ -s "$1" ] && [ "$(tail -c 1 "$1" | wc -l)" -eq 1 ]; do
    kill -0 "$2" 2>/dev/null || return 1
    tries=$((tries + 1))
    [ "$tries" -lt 1200 ] || return 1
    sleep 0.05
  done
}

# model_directory: the real model in the user's cache, pulled if it is not there.
model_directory() {
  local directory=$cache/models/all-minilm-l6-v2
  mkdir -p "$cache/models"
  "$program" model pull all-minilm-l6-v2 --to "$directory" >&2 || return 1
  echo "$directory"
}

# prepare_run MODEL: keys, package, configurations and the signed policy. $serve_limits are more lines of the server's
# limits, and $serve_precision is its numerics profile: both of which the policy binds.
prepare_run() {
  local publisher broker_key key_id policy_owner
  (umask 077 && mkdir -p "$run")
  publisher=$("$program" keygen --purpose publisher --to "$run/publisher.key" --json | field public_key)
  "$program" keygen --purpose broker --to "$run/broker.key" --json >"$run/broker.json"
  broker_key=$(field public_key <"$run/broker.json")
  key_id=$(field key_id <"$run/broker.json")
  policy_owner=$("$program" keygen --purpose policy --to "$run/policy.key" --json | field public_key)
  "$program" model package "$1" --to "$run/minilm.pkg" --key "$run/publisher.key" --key-id "$key_id" >&2

  cat >"$run/serve.toml" <<TOML
[server]
listen = "127.0.0.1:0"
metrics = "127.0.0.1:0"
mode = "evaluation"
attester = "local"
state_directory = "$run/state"
issuer = "loopback.example"

[model]
package = "$run/minilm.pkg"
publishers = ["$publisher"]
minimum_serials = { "all-minilm-l6-v2" = 1 }

[keys]
broker = "http://127.0.0.1:1"
broker_key = "$broker_key"

${serve_precision:+[engine]}
${serve_precision:+precision = \"$serve_precision\"}

[limits]
hellos_per_second = 100000  # one address, all of the load
hellos_burst = 100000
${serve_limits:-}
TOML
  cat >"$run/broker.toml" <<TOML
[broker]
listen = "127.0.0.1:0"
issuer = "broker.loopback.example"
key_file = "$run/broker.key"
log_file = "$run/release.log"

[policy]
file = "$run/policy.json"
owner = "$policy_owner"
TOML
  "$program" serve --config "$run/serve.toml" --write-bundle "$run/draft.bundle" 2>"$run/draft.err" ||
    { cat "$run/draft.err" >&2 && return 1; }
  "$program" policy from-bundle "$run/draft.bundle" --name this-machine --approved-by "whoever ran this" \
    --accept-evaluation --to "$run/policy.draft.json" 2>"$run/draft.err"
  "$program" policy sign "$run/policy.draft.json" --key "$run/policy.key" --to "$run/policy.json"
}

# start_broker and start_server set broker_pid, server_pid, broker_at, server_at, metrics_at.
start_broker() {
  : >"$run/broker.out"
  "$program" broker --config "$run/broker.toml" --json >"$run/broker.out" 2>"$run/broker.err" </dev/null &
  broker_pid=$!
  wait_line "$run/broker.out" "$broker_pid" || { cat "$run/broker.err" >&2 && return 1; }
  broker_at=$(field listen <"$run/broker.out")
}
start_server() {
  : >"$run/server.out"
  "$program" serve --config "$run/serve.toml" --set "keys.broker=http://$broker_at" --json "$@" \
    >"$run/server.out" 2>"$run/server.err" </dev/null &
  server_pid=$!
  wait_line "$run/server.out" "$server_pid" || { cat "$run/server.err" >&2 && return 1; }
  server_at=$(field server <"$run/server.out")
  metrics_at=$(field metrics <"$run/server.out")
}

# stop_pid PID: TERM, and KILL if it does not end within the drain time.
stop_pid() {
  local tries=0
  kill -TERM "$1" 2>/dev/null || return 0
  while kill -0 "$1" 2>/dev/null; do
    tries=$((tries + 1))
    if [ "$tries" -gt 700 ]; then kill -KILL "$1" 2>/dev/null || true; fi
    sleep 0.05
  done
}
