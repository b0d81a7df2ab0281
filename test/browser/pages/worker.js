import { record } from '/recorder.js';

const recording = record(location.search);
addEventListener('message', () => postMessage(recording()));
