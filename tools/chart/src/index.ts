export { render } from './helm.js';
