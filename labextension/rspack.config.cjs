/**
 * What the build does otherwise than JupyterLab's: files are named after what is in them, and what several of them need
 * is in one of its own, be it small.
 */
module.exports = {
  optimization: {
    chunkIds: 'named',
    splitChunks: {
      chunks: 'async',
      minSize: 1500,
      cacheGroups: {
        defaultVendors: false,
        // What brings styles into a page.
        styles: { test: /[\\/](css|style)-loader[\\/]/, name: 'styles', enforce: true }
      }
    }
  }
};
