"""Fine-tuning at a provider: what trainers of hosted models share.

formats    a row as a line of a training file, in the words of OpenAI, Bedrock and Vertex
lines      a whole training file, within the limits of its format
export     a dataset as a training file on disk, for a provider that is not asked from here
wish       from a lesson and settings to files and a run with a name
run        one paid run, written down so that no restart pays for it again
job        the run at the provider: upload, create, look, cancel
going      a run as far as it goes within one turn
outcome    from a job that is over to a model
cancelling what people do with runs that are at work: see them, cancel them
"""
