#!/bin/sh
# Stands in for jumpgate-agent in the tests of the client: it notes that it was started, then refuses, or
# becomes ready by moving a socket, on which the test listens, to its place.
cd "$(dirname "$0")"
echo "$# $JUMPGATE_SOCKET" >>starts
if [ -f refusal ]; then
    cat refusal >&2
    exit 64
fi
mv ready.sock ../agent.sock
