"""How the steps run over any number of rows: in this process, over processes, or on a cluster."""
