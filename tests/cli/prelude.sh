# What the transcripts of this folder share.

# bad_files makes one file for each way in which a file can be no good; `huge` is sparse.
bad_files() {
  : >empty
  truncate -s 20G huge
  mkdir dir
  ln -s loop loop
  mkfifo fifo
  echo '{' >text
  printf '\377\376{\0}\0' >utf16
  head -c 300 /dev/zero | tr '\0' '\377' >binary
  echo x >unreadable
  chmod 000 unreadable
}

# each FILES COMMAND... runs the command once a file, with @ replaced by it: "FILE STATUS LINES-OF-STDOUT", then stderr.
each() {
  local file status files=$1
  shift
  for file in $files; do
    # A hang is the failure that is looked for; the limit is for a machine that is busy.
    timeout 200 setpriv --bounding-set=-all --inh-caps=-all "$PROGRAM" "${@//@/$file}" >.out 2>.err </dev/null
    status=$?
    echo "$file $status $(wc -l <.out)"
    grep -v -e '^\*' -e '^$' .err
  done
  rm -f .out .err
}

unusable="missing huge dir loop fifo unreadable /dev/null empty/x"  # whatever it is for
garbage="empty text utf16 binary"                                   # readable, and not what is wanted

# quiet COMMAND... runs it without the banner of software evidence.
quiet() { { "$@" 2>&1 >&3 | grep -v -e '^\*' -e '^$' >&2; } 3>&1; return "${PIPESTATUS[0]}"; }

# broker_files makes all that a broker needs; `broker_with SED-SCRIPT` starts one with a changed configuration, which fails.
broker_files() {
  cp "$HERE"/data/policy.draft.json . &&
    ephemeralml keygen --purpose broker --to broker.key &&
    ephemeralml keygen --purpose policy --to policy.key &&
    ephemeralml policy sign policy.draft.json --key policy.key --to policy.json &&
    cat >broker.toml <<TOML
[broker]
listen = "127.0.0.1:0"
issuer = "broker.example"
key_file = "broker.key"
log_file = "release.log"

[policy]
file = "policy.json"
owner = "$(sed 's/.*"public_key":"\([^"]*\)".*/\1/' policy.key.pub)"
TOML
}
broker_with() {
  sed "$1" broker.toml >changed.toml
  timeout 200 "$PROGRAM" broker --config changed.toml --json </dev/null 2>&1
  echo "$?"
  rm -f changed.toml release.log
}

# server_files makes a package (of nothing that could be loaded) and a configuration; `serve_with KEY=VALUE...` starts one.
server_files() {
  mkdir -p m && echo '{}' >m/config.json && echo '{"t":1}' >m/tokenizer.json && printf weights >m/model.safetensors &&
    ephemeralml keygen --purpose publisher --to publisher.key &&
    ephemeralml keygen --purpose broker --to broker.key --json | sed 's/.*"key_id":"\([^"]*\)".*/\1/' >key_id &&
    ephemeralml model package m --to pkg --key publisher.key --key-id "$(cat key_id)" --id tiny &&
    cat >serve.toml <<TOML
[server]
listen = "127.0.0.1:0"
metrics = "127.0.0.1:0"
mode = "evaluation"
attester = "local"
state_directory = "state"
issuer = "tests.example"

[model]
package = "pkg"
publishers = ["$(sed 's/.*"public_key":"\([^"]*\)".*/\1/' publisher.key.pub)"]
minimum_serials = { "tiny" = 1 }

[keys]
broker = "http://$CLOSED"
broker_key = "$(sed 's/.*"public_key":"\([^"]*\)".*/\1/' broker.key.pub)"
TOML
}
serve_with() {
  local set
  for set in "$@"; do
    timeout 200 "$PROGRAM" serve --config serve.toml --set "$set" --json </dev/null 2>&1 | grep -v -e '^\*' -e '^$'
    echo "${PIPESTATUS[0]}"
  done
  rm -rf state
}
