import mlflow
import os
from mlflow.tracking import MlflowClient
os.environ["MLFLOW_TRACKING_URI"]='http://127.0.0.1:8080/api/v4/projects/1/ml/mlflow'
client = MlflowClient()
client.create_experiment("My first experiment")
