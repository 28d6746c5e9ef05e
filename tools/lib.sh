# Sourced by ./dev and the scripts in tools/, with the root of the tree as the working directory.
# shellcheck shell=bash

cache=${XDG_CACHE_HOME:-$HOME/.cache}/ephemeralml
jobs=$(nproc)
export EML_JUDGES=${EML_JUDGES:-$cache/judges}

say() { echo "[$(clock)] $*" >&2; }
die() {
  echo "$*" >&2
  exit 2
}

# clock is minutes and seconds since the outermost script began.
export EML_STARTED=${EML_STARTED:-$(date +%s)}
clock() {
  local seconds=$(($(date +%s) - EML_STARTED))
  printf '%02d:%02d' $((seconds / 60)) $((seconds % 60))
}

# sources prints the C++ files that are ours, NUL-separated: tracked ones and those about to be.
sources() { git ls-files -z --cached --others --exclude-standard -- '*.h' '*.cc' | while IFS= read -r -d '' file; do
  if [ -f "$file" ]; then printf '%s\0' "$file"; fi
done; }

# configure PRESET: quiet when it goes well.
configure() {
  [ "$1" != base ] || die "no such preset: $1"
  mkdir -p build
  say "configuring build/$1"
  if ! cmake --preset "$1" >"build/configure-$1.log" 2>"build/configure-$1.err"; then
    cat "build/configure-$1.err" >&2
    die "configuring $1 failed; the whole log is build/configure-$1.log"
  fi
  grep -A3 'CMake Warning' "build/configure-$1.err" >&2 || true
}

# compile PRESET TARGETS...: on a terminal ninja's own line; elsewhere a line every ten seconds or so.
compile() {
  local preset=$1
  shift
  say "building $preset"
  if [ -t 1 ]; then
    ninja -C "build/$preset" "$@"
    return
  fi
  NINJA_STATUS='[%f/%t] ' ninja -C "build/$preset" "$@" | {
    local line last=$SECONDS
    while IFS= read -r line; do
      case $line in
        \[*\]' '*)
          if [ $((SECONDS - last)) -ge 10 ]; then
            say "$line"
            last=$SECONDS
          fi
          ;;
        'ninja: '* | 'env CCACHE_'*) ;;
        *) echo "$line" ;;
      esac
    done
  }
}
