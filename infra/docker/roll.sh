#!/usr/bin/env bash
# roll.sh [--back] VERSION
# Rolls a running compose project to what the checkout (or EVENKEEL_IMAGE of .env) holds now, as VERSION: new balancers
# beside the old ones, then gateways, then edges, whose clients are moved before they stop. With --back in the order of a
# way back: edges, gateways, balancers. VERSION goes into .env and must be above the one that runs, on a way back too.
# It stops at the first thing that goes wrong, with both versions running: run again it goes on. RabbitMQ and the ingress stay.
# For another file than docker-compose.yml: COMPOSE_FILE, in the environment or .env. Needs Docker Compose, and no Node.
set -euo pipefail
cd "$(dirname "$0")/../.."

order=(balancer gateway edge)
if [ "${1:-}" = --back ]; then order=(edge gateway balancer); shift; fi
version=${1:-}
if ! [[ $version =~ ^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$ ]]; then sed -n '2,8s/^# //p' "$0" >&2; exit 2; fi
# Longer than a drain with a stopped broker takes: docs/deployment.md.
grace=60
ready_timeout=120
begun=$SECONDS

say() { printf '%s\n' "$*"; }
fail() { printf 'roll.sh: %s\n' "$*" >&2; exit 1; }
cli() { docker compose run --rm --no-deps -T evenkeel "$@"; }
version_of() { docker inspect -f '{{index .Config.Labels "evenkeel.version"}}' "$1"; }
# The containers of a service that run, of this version or of others.
of_version() {
  local id is
  for id in $(docker compose ps -q "$1"); do
    is=others
    [ "$(version_of "$id")" != "$version" ] || is=this
    if [ $is = "$2" ]; then echo "$id"; fi
  done
}
name_of() { docker inspect -f '{{.Config.Hostname}}' "$1"; }

await() { # SERVICE ID: until it is ready; an edge, until it takes clients too
  local deadline=$((SECONDS + ready_timeout)) state=
  [ "$1" = edge ] && state=active
  until docker exec "$2" node infra/docker/ready.mjs $state 2>/dev/null; do
    [ $SECONDS -lt $deadline ] || fail "the new $1 $(name_of "$2") is not ready after $ready_timeout s: docker logs $2"
    sleep 0.5
  done
}

roll() { # SERVICE: new containers beside the old ones, then the old ones go
  local old new wanted started=$SECONDS
  mapfile -t old < <(of_version "$1" others); mapfile -t new < <(of_version "$1" this)
  if [ ${#old[@]} = 0 ]; then say "$1: nothing to do"; return; fi
  wanted=$((${#old[@]} > ${#new[@]} ? ${#old[@]} : ${#new[@]}))
  docker compose up -d --no-deps --no-build --no-recreate --scale "$1=$((${#old[@]} + wanted))" "$1" >/dev/null 2>&1 ||
    fail "could not start the new $1: docker compose up -d --no-deps --no-recreate --scale $1=$((${#old[@]} + wanted)) $1"
  mapfile -t new < <(of_version "$1" this)
  for id in "${new[@]}"; do await "$1" "$id"; done
  for id in "${old[@]}"; do
    if [ "$1" = edge ]; then
      cli drain "$(name_of "$id")" --wait || fail "$(name_of "$id") still has clients; both versions run"
    fi
    docker stop -t $grace "$id" >/dev/null && docker rm "$id" >/dev/null
  done
  say "$1: ${#new[@]} of version $version in $((SECONDS - started)) s"
}

[ -n "$(docker compose ps -q edge)" ] || fail "no edge runs here; docker compose up -d --wait starts one"
# Clients of a leaving edge go to the newest: under an older name they would go to the next that leaves.
for id in $(docker compose ps -q edge); do
  running=$(version_of "$id")
  if [[ $running =~ ^[0-9] && $version =~ ^[0-9] && $(printf '%s\n' "$running" "$version" | sort -V | tail -1) != "$version" ]]; then
    fail "version $running runs: take a higher one than that, on a way back too"
  fi
done
export EVENKEEL_VERSION=$version
docker compose build gateway
# For every docker compose after this one.
touch .env
env=$(grep -v '^EVENKEEL_VERSION=' .env || true)
printf '%s\nEVENKEEL_VERSION=%s\n' "$env" "$version" >.env

# No rebalance moves anybody once more meanwhile; drains go on. A pause that was there before stays.
if ! cli status --json | grep -q '"isPaused": *true'; then
  cli pause >/dev/null
  trap 'cli resume >/dev/null || true' EXIT
fi
for service in "${order[@]}"; do roll "$service"; done
# They hold no clients, and one of each is enough.
for service in console api demo; do
  if [ -n "$(docker compose ps -q "$service" 2>/dev/null)" ]; then docker compose up -d --no-deps --no-build "$service" >/dev/null 2>&1; fi
done
say "Rolled to version $version in $((SECONDS - begun)) s."
