#!/bin/sh
# Publishes one event by AMQP from a shell: apt-get install amqp-tools
# export $(npx evenkeel env); examples/publishers/publish-amqp.sh alice order.created '{"number": 7}'
# amqp-publish sets neither id nor confirm: the edge derives an id from the content, and clients do not take it for an identity.
set -eu
amqp-publish --url "$EVENKEEL_APP_AMQP_URL" --exchange mesh.events --routing-key "user.$1.$2" \
  --content-type application/json --persistent --body "$3"
