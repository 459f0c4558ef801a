# Shared by ./run and ./test: says what is missing on this machine and, where it may, installs it.
# Sourced; expects $root.

fail() {
  printf '%s\n' "$*" >&2
  exit 1
}

need_dotnet() {
  command -v dotnet >/dev/null || fail "The .NET SDK 10.0 is needed: https://dotnet.microsoft.com/download/dotnet/10.0"
  # Asked from the repository, so that global.json decides.
  (cd "$root" && dotnet --version >/dev/null 2>&1) || fail "The .NET SDK of this machine is too old; 10.0 is needed: https://dotnet.microsoft.com/download/dotnet/10.0"
}

can_install() {
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null
}

# Standard output is left to the caller: its last line may mean something.
install() {
  if [ -z "${apt_updated:-}" ]; then
    apt-get update -qq >&2 || return 1
    apt_updated=1
  fi
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >&2 </dev/null
}

has_postgres() {
  compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null \
    || command -v initdb >/dev/null \
    || compgen -G '/opt/homebrew/opt/postgresql*/bin/initdb' >/dev/null \
    || compgen -G '/usr/local/opt/postgresql*/bin/initdb' >/dev/null
}

# The host starts a server of its own, so the package must not make and start one for the whole machine.
install_postgres() {
  local once=/etc/postgresql-common/createcluster.d/crm-setup.conf done=0
  echo "Installing PostgreSQL." >&2
  install postgresql-common acl || return 1
  mkdir -p "${once%/*}"
  echo 'create_main_cluster = false' >"$once"
  install postgresql || done=1
  rm -f "$once"
  return $done
}

need_npm() {
  command -v npm >/dev/null && return
  can_install || return 1
  echo "Installing npm." >&2
  install npm
}

# What cannot be installed here, the host fetches by npm, or says what to do.
need_postgres() {
  [ -n "${ConnectionStrings__Crm:-}" ] && return
  has_postgres && return
  compgen -G "${Crm__DataDirectory:-$root/data}/postgres-bin/package/native/bin/initdb" >/dev/null && return
  can_install && install_postgres && return
  need_npm || true
}

# The build is up to date when nothing it is made of, and no folder that lost a file, is newer than its mark.
is_built() {
  local mark=$1
  [ -f "$mark" ] || return 1
  [ -z "$(cd "$root" && find . \( -path ./artifacts -o -path ./data -o -path ./docs -o -path ./tests -o -path ./.ci -o -path ./.git -o -name bin -o -name obj -o -name node_modules -o -name TestResults \) -prune -o -newer "$mark" ! -path . ! -name '*.md' -print -quit)" ]
}

# Build servers would keep the caller's output open after the script has ended.
build() {
  dotnet build "$@" -c Release -v quiet -nologo -nodeReuse:false -clp:ErrorsOnly >&2
}
