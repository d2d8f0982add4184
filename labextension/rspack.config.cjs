/**
 * What the build does otherwise than JupyterLab's: files are named after what is in them.
 */
module.exports = { optimization: { chunkIds: 'named' } };
