#!/bin/sh
# Publishes one event by HTTP: apt-get install curl
# export $(npx evenkeel env); examples/publishers/publish-http.sh alice order.created '{"number": 7}' [ID]
set -eu
id=${4:-$(cat /proc/sys/kernel/random/uuid)}
curl --fail-with-body --silent --show-error "$EVENKEEL_API_URL/v1/publish" \
  -H "authorization: Bearer $EVENKEEL_API_KEY" -H 'content-type: application/json' \
  -d "{\"user\": \"$1\", \"event\": \"$2\", \"data\": $3, \"id\": \"$id\"}"
