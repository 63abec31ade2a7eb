"""The library as an MCP server: tools and resources for assistants, over standard input and output or HTTP."""
