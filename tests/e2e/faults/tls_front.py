"""TLS in front of a plain server on loopback: prints its port, then relays until it is killed.

usage: tls_front.py CERTIFICATE KEY PORT
"""
import asyncio
import ssl
import sys

certificate, key, behind = sys.argv[1:]


async def pump(source, sink):
    try:
        while data := await source.read(65536):
            sink.write(data)
            await sink.drain()
    except OSError:
        pass
    finally:
        sink.close()


async def relay(source, sink):
    answers, asks = await asyncio.open_connection("127.0.0.1", int(behind))
    await asyncio.gather(pump(source, asks), pump(answers, sink))


async def main():
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate, key)
    server = await asyncio.start_server(relay, "127.0.0.1", 0, ssl=tls)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main())
