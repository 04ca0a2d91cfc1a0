#!/usr/bin/env python3
"""Serves video files by RTSP as cameras do, for tests: each client sees the file from its beginning, at its own pace.

Reads one JSON object from its first argument: {"port": 0, "user": "u", "password": "p", "mounts": {"/ch1": {"file":
"a.ts", "codec": "h264", "transport": "udp"}}}; all but `mounts` and `file` may be left out. Files are MPEG transport
streams with H.264 or H.265; without a transport both are offered. Writes JSON lines: {"port": 8554} when it
serves, {"play": "/ch1", "time": <Unix ms>} when a client begins to get video. Ends with its standard input.
"""
import json
import sys
import threading
import time

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402


def say(**message):
    print(json.dumps(message), flush=True)


def launch_line(mount):
    codec = mount.get("codec", "h264")
    return (
        f"( filesrc location={mount['file']} ! tsdemux ! {codec}parse ! "
        f"rtp{codec}pay name=pay0 pt=96 config-interval=-1 )"
    )


def make_factory(mount, guarded):
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(launch_line(mount))
    factory.set_shared(False)
    if mount.get("transport") == "udp":
        factory.set_protocols(GstRtsp.RTSPLowerTrans.UDP)
    if guarded:
        permissions = GstRtspServer.RTSPPermissions()
        for permission in ("media.factory.access", "media.factory.construct"):
            permissions.add_permission_for_role("viewer", permission, True)
        factory.set_permissions(permissions)
    return factory


def make_auth(user, password):
    auth = GstRtspServer.RTSPAuth()
    auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", "viewer")
    auth.add_digest(user, password, token)
    return auth


def on_client(_server, client):
    def on_play(_client, context):
        say(play=context.uri.abspath if context.uri else "", time=round(time.time() * 1000))

    client.connect("play-request", on_play)


def main():
    config = json.loads(sys.argv[1])
    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(str(config.get("port", 0)))
    for path, mount in config["mounts"].items():
        server.get_mount_points().add_factory(path, make_factory(mount, "user" in config))
    if "user" in config:
        server.set_auth(make_auth(config["user"], config["password"]))
    server.connect("client-connected", on_client)
    if server.attach(None) == 0:
        sys.exit("the port can't be taken")
    say(port=server.get_bound_port())
    loop = GLib.MainLoop()

    def wait_for_the_end():
        sys.stdin.read()
        loop.quit()

    threading.Thread(target=wait_for_the_end, daemon=True).start()
    loop.run()


main()
