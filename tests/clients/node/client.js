// KafkaJS behind the verbs that every client of the suite has: see tests/clients/README.md.
const { Kafka, CompressionTypes, CompressionCodecs, Partitioners, logLevel } = require("kafkajs");
const SnappyCodec = require("kafkajs-snappy");
CompressionCodecs[CompressionTypes.Snappy] = SnappyCodec;

const [verb, text] = process.argv.slice(2);
const options = JSON.parse(text);
const kafka = new Kafka({ brokers: [options.bootstrap], clientId: "interop-kafkajs", logLevel: logLevel.NOTHING });
const bytes = (base64) => (base64 === null || base64 === undefined ? null : Buffer.from(base64, "base64"));
const base64 = (value) => (value === null || value === undefined ? null : Buffer.from(value).toString("base64"));
const codecs = { none: CompressionTypes.None, gzip: CompressionTypes.GZIP, snappy: CompressionTypes.Snappy };

async function standardInput() {
  const chunks = [];
  for await (const chunk of process.stdin) chunks.push(chunk);
  return Buffer.concat(chunks).toString().split("\n").filter((line) => line.trim()).map((line) => JSON.parse(line));
}

async function produce() {
  const producer = kafka.producer({
    createPartitioner: Partitioners.DefaultPartitioner, idempotent: !!options.idempotent, allowAutoTopicCreation: true,
  });
  const messages = (await standardInput()).map((r) => ({
    key: bytes(r.k), value: bytes(r.v), partition: r.p ?? undefined, timestamp: r.t ? String(r.t) : undefined,
    headers: Object.fromEntries((r.h || []).map(([name, value]) => [name, bytes(value)])),
  }));
  await producer.connect();
  const next = new Map();
  const acks = options.acks === "0" ? 0 : options.acks === "1" ? 1 : -1;
  const answers = await producer.send({ topic: options.topic, messages, acks, compression: codecs[options.codec || "none"] });
  for (const a of answers) next.set(a.partition, Number(a.baseOffset));
  await producer.disconnect();
  // KafkaJS tells base offsets for each partition, not a place for each record.
  for (const [partition, offset] of next) console.log(JSON.stringify({ p: partition, base: offset }));
}

async function consume() {
  const consumer = kafka.consumer({ groupId: options.group || `interop-kafkajs-${process.pid}`, allowAutoTopicCreation: false });
  await consumer.connect();
  await consumer.subscribe({ topic: options.topic, fromBeginning: true });
  const lines = [];
  await new Promise((resolve, reject) => {
    setTimeout(resolve, 30000).unref();
    consumer.on(consumer.events.CRASH, (e) => reject(e.payload.error));
    consumer.run({
      autoCommit: false,
      eachMessage: async ({ partition, message }) => {
        if (lines.length >= options.count) return;
        const headers = Object.entries(message.headers || {}).flatMap(([name, value]) =>
          (Array.isArray(value) ? value : [value]).map((v) => [name, base64(v)]));
        lines.push({ p: partition, o: Number(message.offset), t: Number(message.timestamp), k: base64(message.key),
          v: base64(message.value), h: headers });
        if (lines.length >= options.count) resolve();
      },
    });
  });
  if (options.group) {
    const next = new Map();
    for (const l of lines) next.set(l.p, Math.max(next.get(l.p) ?? 0, l.o + 1));
    await consumer.commitOffsets([...next].map(([partition, offset]) => ({ topic: options.topic, partition, offset: String(offset) })));
  }
  await consumer.disconnect();
  for (const line of lines) console.log(JSON.stringify(line));
}

(verb === "produce" ? produce() : consume()).then(() => process.stdout.write("", () => process.exit(0)), (e) => {
  console.error(e.stack);
  process.exit(1);
});
