// The microphone: what is said becomes a WAV file of the project.

const RATE = 16000; // Hz, what the models hear

/** Begin to record; return what stops it and gives the file. */
export async function record() {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1, noiseSuppression: false } });
  const context = new AudioContext({ sampleRate: RATE });
  await context.audioWorklet.addModule("static/js/recorder-worklet.js");
  const source = context.createMediaStreamSource(stream);
  const worklet = new AudioWorkletNode(context, "recorder");
  const parts = [];
  worklet.port.onmessage = (event) => parts.push(event.data);
  source.connect(worklet);
  return async () => {
    stream.getTracks().forEach((track) => track.stop());
    source.disconnect();
    await context.close();
    const name = `recording-${new Date().toISOString().slice(0, 19).replace(/[:T]/g, "-")}.wav`;
    return new File([wav(parts)], name, { type: "audio/wav" });
  };
}

/** Return samples (Float32Arrays of -1 to 1) as a WAV file of 16 bits. */
function wav(parts) {
  const count = parts.reduce((sum, part) => sum + part.length, 0);
  const view = new DataView(new ArrayBuffer(44 + 2 * count));
  const word = (at, text) => [...text].forEach((letter, i) => view.setUint8(at + i, letter.charCodeAt(0)));
  word(0, "RIFF");
  view.setUint32(4, 36 + 2 * count, true);
  word(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, RATE, true);
  view.setUint32(28, 2 * RATE, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  word(36, "data");
  view.setUint32(40, 2 * count, true);
  let at = 44;
  for (const part of parts)
    for (const value of part) {
      view.setInt16(at, Math.round(Math.max(-1, Math.min(1, value)) * 32767), true);
      at += 2;
    }
  return view.buffer;
}
