// receivers.js PORT: prints each match that comes there.
const osc = require("osc");
const port = new osc.UDPPort({ localAddress: "127.0.0.1", localPort: Number(process.argv[2]) });
port.on("ready", () => console.log("ready"));
port.on("error", (e) => console.log("error", e.message));
port.on("message", (m) => {
    if (m.address === "/hearken/match") {
        console.log("M\t" + m.args.join("\t"));
    }
});
port.open();
